#include "exec/source.h"

static scan *scan_of(const source *s)
{
    return ((const source_scan *)s)->scan;
}

static nrw_status scan_source_next(source *s, batch *b, nrw_error *err)
{
    return scan_next(scan_of(s), b, err);
}

static void scan_source_done(source *s, const batch *b)
{
    scan_morsel_done(scan_of(s), b);
}

static void scan_source_stop(source *s)
{
    scan_stop(scan_of(s));
}

static uint64_t scan_source_bytes(source *s)
{
    return scan_bytes_read(scan_of(s));
}

static bool scan_source_varies(const source *s, uint32_t column)
{
    const type *t = scan_column_type(scan_of(s), column);

    return type_is_view(t) || type_is_nested(t);
}

static const source_class scan_source_class = {.name = "scan",
                                               .next = scan_source_next,
                                               .done = scan_source_done,
                                               .stop = scan_source_stop,
                                               .bytes_read = scan_source_bytes,
                                               .varies = scan_source_varies};

source_scan source_scan_of(scan *s, uint32_t n_cols)
{
    return (source_scan){{&scan_source_class, n_cols, true}, s};
}
