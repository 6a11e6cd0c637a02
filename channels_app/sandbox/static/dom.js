// Small builders. Text always goes in as text: nothing that a push says is read as HTML.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  bell: "M12 3a6 6 0 0 0-6 6v4l-2 3h16l-2-3V9a6 6 0 0 0-6-6zM10 19a2 2 0 0 0 4 0",
  bellOff: "M6.5 8.5A6 6 0 0 1 18 9v4l1.2 1.8M17 16H4l2-3v-2M10 19a2 2 0 0 0 4 0M4 4l16 16",
  alert: "M12 3 2 20h20L12 3zM12 10v4M12 17.2v.1",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M5.5 11h13v9h-13z",
  plane: "M21 12 3 4l4 8-4 8 18-8zM7 12h14",
  wifi: "M3 9.5a13 13 0 0 1 18 0M6.2 13a8.4 8.4 0 0 1 11.6 0M9.4 16.4a4 4 0 0 1 5.2 0M12 19.4v.1",
  pin: "M9 4h6l-1 6 3 3H7l3-3-1-6zM12 13v7",
  code: "M9 7l-5 5 5 5M15 7l5 5-5 5",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

// el("p.big", {title: "x"}, "text", child): an element with classes, attributes and children.
export function el(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export async function call(method, path, content) {
  const answer = await fetch(path, {
    method,
    body: content === undefined ? undefined : JSON.stringify(content),
  });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail ?? `${method} ${path}: ${answer.status}`);
  }
  return answer.status === 204 ? null : answer.json();
}

// Put `wanted` into `parent` in this order, moving only what stands wrong.
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}
