/* A dataset as the place rows go to: its folder staged, files named and cut, metadata files, and
 * what is told of them. Inside of output.c. */
#ifndef API_OUTPUT_SET_H
#define API_OUTPUT_SET_H

#include "api/output.h"

/* Whether the name, or a word of the job, means a dataset. */
bool output_set_is_meant(const nrw_job *job, const char *name);
/* Words to policy, pattern, sizes. */
nrw_status output_set_choose(output *o, nrw_error *err) NRW_CHECKED;
/* The files' columns: all but the keys. */
nrw_status output_set_schema(output *o, const schema *s, nrw_error *err) NRW_CHECKED;
nrw_status output_set_budget(const output *o, uint32_t workers, budget *out,
                             nrw_error *err) NRW_CHECKED;
nrw_status output_set_stage(output *o, nrw_error *err) NRW_CHECKED;
nrw_status output_set_open(output *o, mem *grant, uint32_t workers, nrw_error *err) NRW_CHECKED;
op *output_set_sink(output *o);
nrw_status output_set_finish(output *o, file_summary *out, nrw_error *err) NRW_CHECKED;
nrw_status output_set_publish(output *o, nrw_error *err) NRW_CHECKED;
void output_set_describe(const output *o, plan_step *s);
void output_set_close(output *o);

#endif
