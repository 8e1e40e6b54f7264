#include "api/door.h"

#include <string.h>

door *door_named(door *list, const char *name)
{
    while (list && strcmp(list->name, name) != 0)
        list = list->next;
    return list;
}

nrw_status door_open(door *d, mem *m, io_file **out, nrw_error *err)
{
    *out = NULL;
    if (d->taken) {
        err_at_object(err, d->name);
        err_next(err, "write it to a file first");
        return err_set(err, NRW_E_ARG, "is a stream, which can be read once");
    }
    d->taken = true;
    return d->open(d, m, out, err);
}
