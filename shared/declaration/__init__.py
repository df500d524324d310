"""What the uploader says: the model, its reader, and the form that asks for it."""
