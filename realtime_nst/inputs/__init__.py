"""Where live frames come from.

sources.py  files, streams and the test pattern as cameras; opening any of them
cameras.py  cameras that come and go; devices.py their names and formats
switching.py a camera that becomes another one; trying.py one opened for a moment
polling.py  cameras on the network that give one picture at a time
playout.py  when frames of films and streams are shown
"""
