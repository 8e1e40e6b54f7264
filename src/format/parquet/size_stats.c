#include "format/parquet/size_stats.h"

enum { TABLES = 4, LEVELS = 256 };

/* Several tables, so that equal levels in a row do not wait for each other. */
void pq_count_levels(const uint8_t *levels, uint32_t n, uint8_t max, uint32_t *counts)
{
    uint32_t tables[TABLES][LEVELS] = {{0}}, i = 0;

    if (!levels) {
        counts[max] += n;
        return;
    }
    for (; i + TABLES <= n; i += TABLES)
        for (int t = 0; t < TABLES; t++)
            tables[t][levels[i + (uint32_t)t]]++;
    for (; i < n; i++)
        tables[0][levels[i]]++;
    for (uint32_t x = 0; x <= max; x++)
        for (int t = 0; t < TABLES; t++)
            counts[x] += tables[t][x];
}

static nrw_status write_counts(thrift_out *o, int16_t id, const uint64_t *counts, uint32_t n,
                               nrw_error *err)
{
    if (!n)
        return NRW_OK;
    TRY(thrift_write_field_list(o, id, THRIFT_I64, n, err));
    for (uint32_t i = 0; i < n; i++)
        TRY(thrift_write_i64(o, (int64_t)counts[i], err));
    return NRW_OK;
}

nrw_status pq_size_stats_write(thrift_out *o, const pq_wleaf *l, uint64_t text_bytes,
                               const uint64_t *counts, nrw_error *err)
{
    uint32_t n_rep = counts ? pq_rep_counts(l) : 0, n_def = counts ? pq_def_counts(l) : 0;
    bool text = type_is_view(&l->field->type);

    if (!text && !n_rep && !n_def)
        return NRW_OK;
    TRY(thrift_write_field_struct(o, 16, err));
    if (text)
        TRY(thrift_write_field_i64(o, 1, (int64_t)text_bytes, err));
    TRY(write_counts(o, 2, counts, n_rep, err));
    TRY(write_counts(o, 3, counts ? counts + n_rep : NULL, n_def, err));
    return thrift_end(o, err);
}
