"""The command line: the only part that prints and exits. A module for each command that does more than call another part.

main.py       flags to functions, exit codes; arguments.py, live_flags.py and training_flags.py the flags
console.py    what commands share
styles.py     styles in a table and on a sheet, and those of the user's own
video.py      films; image.py photos; worker.py paints for others
webcam.py     the live show; checks.py `cameras` and `doctor`
bench.py      how fast it is; export.py the network for other programs
"""
