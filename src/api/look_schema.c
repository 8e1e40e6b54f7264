/* schema: columns and types. */
#include "api/look.h"

#include "column/json_out.h"

#include <string.h>

static nrw_status field_text(const field *f, nrw_error *err)
{
    char name[128];

    type_print(&f->type, name, sizeof name);
    return look_print(err, "%-24s %s%s\n", f->name, name, f->nullable ? "" : " NOT NULL");
}

static nrw_status field_json(const field *f, mem *m, bool first, nrw_error *err)
{
    bytes out = bytes_init(m, 1 << 20);
    char name[128];
    nrw_status st;

    type_print(&f->type, name, sizeof name);
    st = json_string(&out, f->name, strlen(f->name), err);
    if (st >= 0)
        st = look_print(err, "%s{\"name\":%.*s,\"type\":\"%s\",\"nullable\":%s}", first ? "" : ",",
                        (int)out.len, (const char *)out.data, name, f->nullable ? "true" : "false");
    bytes_release(&out);
    return st;
}

nrw_status look_schema(nrw_job *job, nrw_error *err)
{
    const schema *s;
    job_inputs in;
    nrw_status st;
    bool json;

    TRY(look_format(job, &json, err));
    TRY(job_limits_settle(job, err));
    TRY(job_inputs_open(job, &in, err));
    s = scan_schema(in.scan);
    st = json ? look_print(err, "[") : NRW_OK;
    for (uint32_t i = 0; i < s->n_fields && st >= 0; i++)
        st = json ? field_json(&s->fields[i], job->root, i == 0, err)
                  : field_text(&s->fields[i], err);
    if (st >= 0 && json)
        st = look_print(err, "]\n");
    job_inputs_close(&in);
    return st < 0 ? st : look_flush(err);
}
