/* Bounds of whole-number columns, for plans. */
#include "format/parquet/parquet.h"

bool pq_meta_bounds(pq_meta *p, mem *m, int32_t rg, uint32_t leaf, int64_t *min, int64_t *max)
{
    const pq_leaf *l = pq_meta_leaf(p, leaf);
    size_t width = l->physical == PQ_INT32 ? 4 : 8;
    pq_row_group group;
    pq_chunk c;
    arena *a;
    bool found = false;

    if (pq_meta_row_group(p, rg, &group, NULL) < 0)
        return false;
    *min = INT64_MAX;
    *max = INT64_MIN;
    if (group.rows == 0)
        return true;
    if ((l->physical != PQ_INT32 && l->physical != PQ_INT64) || arena_new(m, &a, NULL) < 0)
        return false;
    if (pq_meta_chunk(p, rg, leaf, a, &c, NULL) >= 0 && c.stats.has_min && c.stats.has_max &&
        c.stats.min.len == width && c.stats.max.len == width) {
        found = true;
        *min =
            width == 8 ? (int64_t)load_u64(c.stats.min.data) : (int32_t)load_u32(c.stats.min.data);
        *max =
            width == 8 ? (int64_t)load_u64(c.stats.max.data) : (int32_t)load_u32(c.stats.max.data);
    }
    arena_free(a);
    return found;
}
