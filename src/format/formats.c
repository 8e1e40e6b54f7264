#include "format/formats.h"

#include "format/arrow/arrow.h"
#include "format/avro/avro.h"
#include "format/parquet/parquet.h"

static const format *const rows[] = {&format_parquet, &format_avro, &format_arrow};

#define N_ROWS (sizeof rows / sizeof *rows)

const format *format_at(size_t i)
{
    return i < N_ROWS ? rows[i] : NULL;
}

static bool ends_in(const char *name, const char *extension)
{
    size_t n = strlen(name), e = strlen(extension);

    return n > e && strcmp(name + n - e, extension) == 0;
}

static bool has_extension(const format *f, const char *name)
{
    for (size_t i = 0; i < sizeof f->extensions / sizeof *f->extensions; i++)
        if (f->extensions[i] && ends_in(name, f->extensions[i]))
            return true;
    return false;
}

nrw_status format_of(io_file *f, const format **out, nrw_error *err)
{
    uint8_t head[FORMAT_HEAD];
    size_t n = size_min(sizeof head, (size_t)f->size);

    *out = rows[0];
    TRY(file_read(f, 0, head, n, err));
    for (size_t i = 0; i < N_ROWS; i++) {
        if (!rows[i]->matches((span){head, n}))
            continue;
        *out = rows[i];
        return NRW_OK;
    }
    for (size_t i = 0; i < N_ROWS; i++)
        if (has_extension(rows[i], f->name))
            *out = rows[i];
    return NRW_OK;
}

nrw_status format_open(mem *m, io_file *f, const read_options *opts, reader **out, nrw_error *err)
{
    const format *format;
    nrw_status st = format_of(f, &format, err);

    *out = NULL;
    if (st >= 0)
        return format->open(m, f, opts, out, err);
    err_at_object(err, f->name);
    file_close(f);
    return st;
}
