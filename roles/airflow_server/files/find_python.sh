# Copyright (c) 2026, dagops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# find_python.sh VERSION...: the first Python of these versions that really runs and can make virtual environments.
# Version managers put a python3.8 on PATH that fails when it is started: so each candidate is tried.
for version; do
  for candidate in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python $(IFS=:; for folder in $PATH; do echo "$folder/python$version"; done); do
    [ -x "$candidate" ] || continue
    if "$candidate" -c "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2> /dev/null; then
      echo "$candidate"
      exit 0
    fi
  done
done
exit 1
