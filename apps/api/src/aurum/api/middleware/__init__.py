"""Pure ASGI middleware, a class a module; the order is in ``registry``."""
