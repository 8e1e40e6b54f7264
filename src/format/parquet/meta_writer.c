/* Writers whose statistics are known to be wrong. */
#include "format/parquet/meta_priv.h"

#include <stdlib.h>

/* The major version in "NAME version 4.0.1", -1 where created_by is of another writer. */
static int version_of(const pq_meta *p, const char *name)
{
    size_t n = strlen(name);

    if (!p->created_by || strncmp(p->created_by, name, n) != 0 ||
        strncmp(p->created_by + n, " version ", 9) != 0)
        return -1;
    return (int)strtol(p->created_by + n + 9, NULL, 10);
}

bool pq_meta_wrong_nulls(const pq_meta *p)
{
    int version = version_of(p, "parquet-cpp-arrow");

    /* of dictionary arrays it wrote 0 */
    return version >= 0 && version < 5;
}

bool pq_meta_wrong_bounds(const pq_meta *p)
{
    int version = version_of(p, "Parquet.Net");

    /* of timestamps, in the writer's own zone */
    return version >= 0 && version < 5;
}
