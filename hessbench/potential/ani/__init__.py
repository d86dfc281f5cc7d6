"""The ANI potential with exact first and second derivatives."""
