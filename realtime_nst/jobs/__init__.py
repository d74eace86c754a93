"""Films painted from end to end: in segments, so that an interrupted one goes on where it stopped.

film.py           one film, from looking into it to the finished file; options.py how, farm.py where else
reel.py           how it is read and its segments are written; stretches.py where it forgets
film_source.py    frames of a film between two moments; painter.py paints them
segments.py       what is painted, kept in pieces; workfolder.py where they lie, joining.py how they become a file
outputs.py        which file becomes which
fetching.py       films at web addresses
joblist.py        photos and films that wait beside a show, kept for the next start; errand.py a process for each
progress.py       how far it is, in words; preview.py in a picture
graceful_stop.py  when it may stop
"""
