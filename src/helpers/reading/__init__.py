"""Raw files -> panel: whatever format and layout, decoded, recognised, every name mapped to one key."""
