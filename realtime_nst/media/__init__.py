"""Files and pictures, in and out, exactly. It knows nothing of styles.

ffmpeg.py       the process behind all video: no other module starts one
addresses.py    network addresses, shown without their secrets
filekinds.py    what a file is by its first bytes; photofiles.py which are photos
probing.py      what is in a video file; tracks.py which track is the picture, protection.py which are locked,
                stereo.py 3D, edits.py which are played in pieces
decoding.py     its frames; timing.py when they are shown
encoding.py     frames into a file; encoders.py by what, rawstream.py through which pipe, colours.py in which colours
containers.py   what a kind of file holds; charsets.py characters of subtitles
photos.py       still pictures in and out: picturefile.py opens one, depth.py makes eight bits of any others,
                remarks.py is what it says of itself
jpeg.py         frames as JPEGs, quickly
results.py      small files out: allowed or not, and whole or not at all
opencv.py       OpenCV where it loads
beside.py       this program once more, as a process beside a show
"""
