"""Video files in and out, exactly: every frame at its time, every colour, every track.

command.py       the command `video`: flags to wishes, many files, a summary
fetching.py      films at web addresses
painting.py      one video file from end to end; wishes.py how, painter.py its frames, stylepath.py their styles
probing.py       what is in a file; tracks.py which track is the picture, protection.py which are locked, stereo.py 3D
edits.py         which tracks are played in pieces
decoding.py      frames of a file; footage.py those between two moments, timing.py when
encoding.py      frames into a file; encoders.py by what, rawstream.py through which pipe, colours.py in which colours
segments.py      what is painted, kept in pieces; workfolder.py where they lie, joining.py how they become a file
containers.py    what a kind of file holds; outputs.py names of files, charsets.py characters of subtitles
progress.py      how far it is, in words; preview.py in a picture; patience.py when it may stop
ffmpeg.py        the process behind all that: no other module starts one
"""
