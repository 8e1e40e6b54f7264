/* Names of a dataset's files: text with one place for what tells them apart.
 *   {i}     the number of the file in its folder, from 0 (or behind those that are there)
 *   {i:0N}  the same with at least N digits: names then sort as they were written
 *   {uuid}  a random UUID of version 4: the only thing in a dataset that is not a function of its
 *           rows */
#ifndef DATASET_FILE_PATTERN_H
#define DATASET_FILE_PATTERN_H

#include "base/buffer.h"

#define FILE_PATTERN_DEFAULT "part-{i:05}.parquet"
#define FILE_PATTERN_MAX     200 /* bytes of a pattern: names must stay below what folders take */

typedef struct file_pattern {
    span before, after; /* the text, which stays the caller's */
    bool uuid;
    uint32_t digits; /* at least */
} file_pattern;

/* NRW_E_ARG names what is wrong. */
nrw_status file_pattern_parse(const char *text, file_pattern *out, nrw_error *err) NRW_CHECKED;
/* Appends the name of file `number`. */
nrw_status file_pattern_append(const file_pattern *p, uint64_t number, bytes *to,
                               nrw_error *err) NRW_CHECKED;
/* Whether `name` could be file *number of the pattern; of {uuid} never. For the first free number.
 */
bool file_pattern_number(const file_pattern *p, span name, uint64_t *number);

#endif
