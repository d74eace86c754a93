"""The live show: cameras in, a window, recordings and streams out, and what a user wants while it runs.

webcam.py        the command `webcam`; flags.py its flags; checks.py the commands `cameras` and `doctor`
show.py          a show with all its outputs, put together
cameras.py       cameras that come and go; devices.py their names and formats; doctor.py what else a show needs
polling.py       cameras on the network that give one picture at a time
playout.py       when frames of films and streams are shown
livepainter.py   Frame -> Frame as the user wishes; pace.py how finely, upscale.py back to full size
remote.py        what steers the show: keys, time, and who watches
window.py        the window; visibility.py whether there is a screen, and it is seen, overlay.py text over it
aside.py         a sink on a thread of its own: livefile.py, streaming.py, virtualcamera.py
recorder.py      recordings that start and stop; snapshots.py pictures
"""
