"""Files of numbers that this library or others wrote, read into canonical names and layout.

One module a format. Each has

    NAME        what it is called
    SUFFIX      the usual ending of such a file, by which `convert` chooses what to write
    recognises(head, path)      whether a file that begins with these bytes is one
    read(path)                  its arrays, each read when asked for
    write(path, tensors, metadata)      a new file with these arrays; where it can be written

Files come from anywhere: a reader believes no length, offset or shape before it has compared it
with the size of the file, runs nothing that a file names, and raises `FileFormatError` for whatever
is wrong with it.
"""
