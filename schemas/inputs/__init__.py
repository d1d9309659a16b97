"""What producers send: a module per raw topic, a class per event type. Import them from `schemas.events`."""
