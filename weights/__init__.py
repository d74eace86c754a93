"""The shipped styles: one body, and a small file per style. `README.md` says where each comes from."""
