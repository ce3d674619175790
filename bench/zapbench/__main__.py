# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench`` and ``python -m zapbench``: Ctrl-C at any moment is no traceback."""

import signal
import sys
from typing import NoReturn

INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and exit; see `zapbench.cli.main`."""
    try:
        from zapbench.cli import main as run  # half a second, in which Ctrl-C may come

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ImportError as error:
        if not _interrupted(error):
            raise
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python ends


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: a module in C says that its "initialization failed"."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


if __name__ == "__main__":
    main()
