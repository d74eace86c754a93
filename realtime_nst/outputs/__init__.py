"""Where live frames go, beside the window.

registry.py        which output is of which kind
sinks.py           nowhere, or several sinks at once
recording.py       files that survive a crash
streaming.py       addresses
virtual_camera.py  video calls and OBS
background.py      any of these on a thread of its own
"""
