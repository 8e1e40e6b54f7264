/* recover: what killed runs left of datasets, a line each rest. */
#include "api/look.h"

#include "io/dataset_target.h"

typedef struct recovery {
    look *l;
    const char *dir;
    bool told;
    nrw_status st; /* of printing */
    nrw_error *err;
} recovery;

static void tell(void *ctx, const char *line)
{
    recovery *r = ctx;

    r->told = true;
    if (r->st >= 0)
        r->st = look_printf(r->l, r->err, "%s: %s\n", r->dir, line);
}

static nrw_status recover_one(look *l, const char *dir, nrw_error *err)
{
    nrw_error print_error = NRW_ERROR_INIT;
    recovery r = {.l = l, .dir = dir, .err = &print_error};

    TRY(dataset_recover(l->job->root, dir, tell, &r, err));
    if (!r.told)
        tell(&r, "nothing to recover");
    if (r.st < 0 && err)
        *err = print_error;
    return r.st;
}

nrw_status look_recover(look *l, nrw_error *err)
{
    const path_list *dirs = &l->job->sources;

    if (dirs->n == 0) {
        err_next(err, "narrows recover DIR");
        return err_set(err, NRW_E_ARG, "no folder is given");
    }
    for (size_t i = 0; i < dirs->n; i++)
        TRY(recover_one(l, dirs->at[i], err));
    return NRW_OK;
}
