"""Published formats: readers, unit detection, conversion into the one layout."""
