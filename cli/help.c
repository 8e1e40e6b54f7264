#include "cli.h"

#include <stdio.h>
#include <string.h>

static void overview(void)
{
    const nrw_verb *v;

    puts("Usage: narrows VERB SOURCE... [TARGET] [OPTION]...\n");
    for (size_t i = 0; (v = nrw_verb_at(i)); i++)
        printf("  %-20s %s\n", v->usage, v->sentence);
}

bool cli_help(const char *verb)
{
    overview();
    return !verb || *verb;
}
