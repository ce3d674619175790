# SPDX-License-Identifier: GPL-2.0-only
# The extension module that cffi makes from cbench/cdef.h.
from typing import Any

ffi: Any
lib: Any
