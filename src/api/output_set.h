/* A dataset as the place rows go to: its folder staged, files named and cut, metadata files, and
 * what is told of them. Inside of output.c. */
#ifndef API_OUTPUT_SET_H
#define API_OUTPUT_SET_H

#include "api/output.h"
#include "io/dataset_target.h"

/* Whether the name, or a word of the job, means a dataset. */
bool output_set_is_meant(const nrw_job *job, const char *name);
/* Class, policy, pattern, sizes, from words. */
nrw_status output_set_choose(output *o, nrw_error *err) NRW_CHECKED;
/* Fact i of the run (io/dataset_target.h), its text in `text`. */
nrw_status output_set_fact(const output *o, uint64_t i, char *text, size_t cap, dataset_fact *out,
                           nrw_error *err) NRW_CHECKED;

#endif
