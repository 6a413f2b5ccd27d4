"""Property tests draw the same examples every time, so no fresh clone fails by chance; `make fuzz` searches."""

import hypothesis

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None, print_blob=True)
hypothesis.settings.load_profile("fixed")
