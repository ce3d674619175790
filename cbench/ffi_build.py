# SPDX-License-Identifier: GPL-2.0-only
"""Write the C source of the extension module: ``ffi_build.py CDEF OUTPUT``."""

import sys
from pathlib import Path

from cffi import FFI


def main(cdef: str, output: str) -> None:
    ffi = FFI()
    ffi.cdef(Path(cdef).read_text(encoding="utf-8"))
    ffi.set_source("zapbench._zapbench", '#include "zapbench.h"')
    ffi.emit_c_code(output)


if __name__ == "__main__":
    main(*sys.argv[1:])
