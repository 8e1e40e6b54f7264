/* JSON texts: what is accepted comes out no longer than it was, and is its own short form. Type
 * names: what is understood prints as a name that is understood as the same type. */
#include "column/json_out.h"
#include "column/type.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(const uint8_t *data, size_t size)
{
    char *once = malloc(size + 1), *twice = malloc(size + 1);
    size_t n, again;
    if (json_minify(data, size, once, &n)) {
        if (n > size || !json_minify((uint8_t *)once, n, twice, &again) || again != n ||
            memcmp(once, twice, n) != 0)
            abort();
    }
    free(once);
    free(twice);
}

static void check_type(const uint8_t *data, size_t size)
{
    char text[100], name[100];
    type t, back;
    if (size >= sizeof text)
        return;
    memcpy(text, data, size);
    text[size] = 0;
    if (type_parse(text, &t, NULL) != NRW_OK)
        return;
    if (type_print(&t, name, sizeof name) >= sizeof name ||
        type_parse(name, &back, NULL) != NRW_OK || !type_equal(&t, &back))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_json(data, size);
    check_type(data, size);
    return 0;
}
