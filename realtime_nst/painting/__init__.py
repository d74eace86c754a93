"""Pictures in, paintings out.

stylizer.py         picture to picture, in any size and style
stream.py           one stream of pictures, stabilized from each to the next
camera_motion.py    how the camera moved, so that texture goes along; alignment.py how one picture lies over another,
                    blocks.py in parts
picture_painter.py  style and look together, for films and photos
contrast.py         frames that show hardly anything are painted as faintly
serving.py          engine, stabilizer and recolour put together as a stylizer; what finds the vectors of pictures
sheet.py            pictures side by side, to choose from
"""
