"""The lab inside JupyterLab: the server extension beside its configuration."""
