/* Folders of the form `key=value`, as Hive, Spark, pyarrow and DuckDB name them: the first `=`
 * parts the two, %XX stands for a byte in both, `__HIVE_DEFAULT_PARTITION__` is null. */
#ifndef DATASET_HIVE_H
#define DATASET_HIVE_H

#include "base/span.h"

#define HIVE_NULL "__HIVE_DEFAULT_PARTITION__"

/* As written, in the path. */
typedef struct hive_folder {
    span key, value;
} hive_folder;

/* The next such folder of a path, and *at moves behind it; false: there is none. The last
 * component is the file's name and never counts, nor does a folder whose key is empty. */
bool hive_next(const char **at, hive_folder *out);
/* Puts bytes for %XX; a percent sign without two digits stays. `out` has room for text.len. Returns
 * the length. */
size_t hive_unescape(span text, char *out);

#endif
