/* Writers whose statistics are known to be wrong, and those that are known to be right. */
#include "format/parquet/meta_priv.h"

#include <stdlib.h>

/* The major version, and the minor one, in "NAME version 4.0.1"; -1 where created_by is of another
 * writer. DuckDB puts a v before it. */
static int version_of(const pq_meta *p, const char *name, int *minor)
{
    size_t n = strlen(name);

    if (!p->created_by || strncmp(p->created_by, name, n) != 0 ||
        strncmp(p->created_by + n, " version ", 9) != 0)
        return -1;
    const char *at = p->created_by + n + 9;
    char *end;
    int major = (int)strtol(at + (*at == 'v'), &end, 10);

    if (minor)
        *minor = *end == '.' ? (int)strtol(end + 1, NULL, 10) : 0;
    return major;
}

bool pq_meta_wrong_nulls(const pq_meta *p)
{
    int version = version_of(p, "parquet-cpp-arrow", NULL);

    /* of dictionary arrays it wrote 0 */
    return version >= 0 && version < 5;
}

bool pq_meta_wrong_bounds(const pq_meta *p)
{
    int version = version_of(p, "Parquet.Net", NULL);

    /* of timestamps, in the writer's own zone */
    return version >= 0 && version < 5;
}

bool pq_meta_right_statistics(const pq_meta *p)
{
    static const struct {
        const char *name;
        int major, minor; /* and later ones */
    } right[] = {
        {"narrows", 0, 0},
        /* null counts of dictionaries: 5; from 13 on with a page index that was tried widely */
        {"parquet-cpp-arrow", 13, 0},
        {"parquet-mr", 1, 12}, /* binary bounds: 1.10 (PARQUET-1025), page index: 1.11 and 1.12 */
        {"DuckDB", 1, 1},
    };

    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        int minor = 0, major = version_of(p, right[i].name, &minor);
        if (major > right[i].major || (major == right[i].major && minor >= right[i].minor))
            return true;
    }
    return false;
}

/* parquet-cpp counts the suffixes of DELTA_BYTE_ARRAY alone (seen in 26.0). */
bool pq_meta_right_sizes(const pq_meta *p, uint32_t encodings)
{
    return !(encodings & 1u << PQ_DELTA_BYTE_ARRAY) || version_of(p, "parquet-cpp-arrow", NULL) < 0;
}

bool pq_meta_bounds_in_headers(const pq_meta *p)
{
    return version_of(p, "parquet-cpp-arrow", NULL) >= 0;
}
