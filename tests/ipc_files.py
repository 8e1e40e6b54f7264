"""Arrow files and streams, read by pyarrow."""


def read(path):
    import pyarrow as pa
    import pyarrow.ipc as ipc
    with open(path, "rb") as f:
        data = pa.py_buffer(f.read())
    is_file = data.slice(0, 6).to_pybytes() == b"ARROW1"
    table = (ipc.open_file if is_file else ipc.open_stream)(data).read_all()
    table.validate(full=True)
    return table
