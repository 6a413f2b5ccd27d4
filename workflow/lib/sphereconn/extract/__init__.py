"""From an image to sphere signals: read the image frame by frame, weigh the voxels of each sphere, average."""
