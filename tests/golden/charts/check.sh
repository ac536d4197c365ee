#!/bin/sh
# Renders every golden chart with the real helm and compares with what is checked in; --update writes it.
# usage: check.sh [--update] [HELM]
cd "$(dirname "$0")" || exit 1
update=no
if [ "$1" = --update ]; then update=yes; shift; fi
helm=${1:-helm}
failed=0
for case in */; do
  case=${case%/}
  values=
  if [ -f "$case/values.yaml" ]; then values="-f $case/values.yaml"; fi
  # shellcheck disable=SC2086
  actual=$("$helm" template demo "$case/chart" -n apps --kube-version v1.36.2 $values; printf .) || { failed=1; continue; }
  actual=${actual%.}
  if [ $update = yes ]; then
    printf '%s' "$actual" > "$case/expected.yaml"
  elif [ "$actual." != "$(cat "$case/expected.yaml"; printf .)" ]; then
    echo "$case differs"
    failed=1
  fi
done
exit $failed
