"""The pages of what a user keeps, a file each: urls.py has them all."""
