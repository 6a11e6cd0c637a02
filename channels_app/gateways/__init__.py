"""APNs, FCM and Web Push behind one interface: the only code that talks to a push service.

`pushes` names what goes in and what comes out, `dispatch.Dispatcher` is the way through.
Nothing here knows a model: a worker translates its rows, and settles them by the answers.
"""
