/* Names of partition folders: `key=value`, as Hive, Spark, pyarrow and DuckDB spell them.
 *
 * Key and value are UTF-8. Every byte that is not an ASCII letter, a digit or one of `-_.~` is
 * written as % and two hexadecimal digits, upper case (pyarrow 26 and DuckDB 2.0 alike; readers
 * take any escape). A null is HIVE_NULL; a text that happens to be HIVE_NULL is told from it by an
 * escaped first byte, as DuckDB does. An empty text has nothing behind the `=`. */
#ifndef DATASET_HIVE_NAME_H
#define DATASET_HIVE_NAME_H

#include "base/buffer.h"

#define HIVE_NULL     "__HIVE_DEFAULT_PARTITION__"
#define HIVE_NAME_MAX 255 /* bytes of one name in the usual file systems */

/* Appends "key=value". value NULL: a null. A name of more than HIVE_NAME_MAX bytes is NRW_E_VALUE,
 * and nothing is appended. */
nrw_status hive_name_append(bytes *to, const char *key, const span *value,
                            nrw_error *err) NRW_CHECKED;

/* As written, in the path. */
typedef struct hive_folder {
    span key, value;
} hive_folder;

/* The next such folder of a path, and *at moves behind it; false: there is none. The last
 * component is the file's name and never counts, nor does a folder whose key is empty. */
bool hive_next(const char **at, hive_folder *out);
/* Whether what stands behind the `=` of a folder's name means null. */
bool hive_is_null(span escaped);
/* Takes the escapes out: bytes of `out`, which has room for escaped.len and may be the same place.
 * A % without two digits behind it stands for itself. */
size_t hive_unescape(span escaped, uint8_t *out);

#endif
