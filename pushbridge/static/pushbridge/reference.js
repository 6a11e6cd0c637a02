// Draws the OpenAPI document with Redoc, in the colours of the admin and with fonts that are there.
"use strict";

const FONT = "Inter, system-ui, sans-serif";
const MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, monospace";

Redoc.init(
  document.currentScript.dataset.document,
  {
    scrollYOffset: ".bar",
    hideDownloadButtons: true,
    expandResponses: "200,201,202",
    requiredPropsFirst: true,
    jsonSamplesExpandLevel: "all",
    schemasExpansionLevel: 1,
    theme: {
      colors: { primary: { main: "#8200db" } },
      sidebar: { width: "17rem", backgroundColor: "#f9fafb" },
      rightPanel: { backgroundColor: "#1f2937", width: "38%" },
      typography: {
        fontSize: "15px",
        fontFamily: FONT,
        headings: { fontFamily: FONT, fontWeight: "600" },
        code: { fontFamily: MONOSPACE, fontSize: "13px", color: "#6d28d9", wrap: true },
      },
    },
  },
  document.getElementById("reference"),
);
