/* Pages of help, made from the library's tables of verbs and options. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 79, INDENT = 26 };

/* Prints text from column `at` on, wrapped, further lines from column `indent` on. */
static void wrap(const char *text, int at, int indent)
{
    bool first = true;

    while (*text) {
        int n = (int)strcspn(text, " ");
        if (!first && at + 1 + n > COLUMNS) {
            printf("\n%*s", indent, "");
            at = indent;
            first = true;
        }
        printf("%s%.*s", first ? "" : " ", n, text);
        at += n + !first;
        first = false;
        text += n;
        text += *text == ' ';
    }
    putchar('\n');
}

static void verb_line(const nrw_verb *v)
{
    char text[128];

    snprintf(text, sizeof text, "%.*s", (int)strcspn(v->sentence, ":;."), v->sentence);
    printf("  %-18s ", v->usage);
    wrap(text, 21, 21);
}

static void verbs(bool moves_rows)
{
    const nrw_verb *v;

    for (size_t i = 0; (v = nrw_verb_at(i)); i++)
        if (!v->moves_rows == !moves_rows && strcmp(v->name, "recover") != 0)
            verb_line(v);
}

/* "--rows N, -n N", "--[no-]statistics" */
static int option_name(const nrw_option *o)
{
    bool negates = !o->argument && o->initial;
    int n;

    n = printf("  %s%s", negates ? "--[no-]" : "--", o->name);
    if (o->argument)
        n += printf(" %s", o->argument);
    if (o->letter)
        n += printf(", -%c", o->letter);
    return n;
}

static void option(const nrw_option *o)
{
    char text[512];
    int at = option_name(o);

    if (at >= INDENT - 1) {
        printf("\n%*s", INDENT, "");
    } else {
        printf("%*s", INDENT - at, "");
    }
    snprintf(text, sizeof text, "%s%s%s%s", o->help, o->initial ? " (default " : "",
             o->initial ? o->initial : "", o->initial ? ")" : "");
    wrap(text, INDENT, INDENT);
}

static void overview(void)
{
    static const char *const most_used[] = {"select", "compression", "on-exists", "format",
                                            "memory", "threads",     "progress",  "report",
                                            "quiet",  "version"};

    puts("Usage: narrows VERB SOURCE... [TARGET] [OPTION]...\n"
         "Streams columnar data of any size through a memory limit.\n\n"
         "Move rows");
    verbs(true);
    puts("Look");
    verbs(false);
    printf("Care\n  %-18s %s\n", "plan VERB ...",
           "What that command would read, hold, spill and write");
    verb_line(cli_verb("recover"));
    puts("\nOptions most used (all of them: narrows help VERB)");
    for (size_t i = 0; i < sizeof most_used / sizeof *most_used; i++)
        option(cli_option(most_used[i], 0));
    puts("\nSRC: a file, a directory, a 'glob', - (standard input)\n"
         "DST: a file, - (standard output); the extension says the format\n"
         "Exit: 0 done  1 failed  2 usage  3 rows rejected  4 memory too small\n\n"
         "  narrows copy 'in/*.parquet' out.parquet --select id,price --memory 64MiB");
}

static bool has(const nrw_option *o, const nrw_verb *v)
{
    char word[32];

    snprintf(word, sizeof word, " %.28s ", v->name);
    return !o->verbs || strstr(o->verbs, word);
}

static void examples(const char *lines)
{
    puts("\nExamples");
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        printf("  %.*s\n", (int)n, lines);
        lines += n + (lines[n] == '\n');
    }
}

static void group(const nrw_verb *v, const char *name, const char *title)
{
    const nrw_option *o;
    bool any = false;

    for (size_t i = 0; (o = nrw_option_at(i)); i++) {
        if (strcmp(o->group, name) != 0 || !has(o, v))
            continue;
        if (!any)
            printf("\n%s\n", title);
        any = true;
        option(o);
    }
    for (size_t i = 0; strcmp(name, "run") == 0 && (o = cli_own_option(i)); i++)
        if (strcmp(o->name, "version") != 0)
            option(o);
}

static void verb_page(const nrw_verb *v)
{
    static const char *const groups[][2] = {{"rows", "Rows"},
                                            {"look", "What to show"},
                                            {"read", "Reading"},
                                            {"write", "Writing"},
                                            {"run", "Running"}};

    printf("Usage: narrows %s [OPTION]...\n", v->usage);
    wrap(v->sentence, 0, 0);
    examples(v->examples);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        group(v, groups[i][0], groups[i][1]);
}

static void plan_page(void)
{
    puts("Usage: narrows plan [-f text|json] VERB ...\n"
         "Prints what that command would read, hold, spill and write, and the peak of\n"
         "resident memory, which the run then keeps. Nothing is run or written.");
    examples("narrows plan copy in.parquet out.parquet --memory 64MiB\n"
             "narrows plan sample in.parquet out.parquet --first 10 --of id --per group\n"
             "narrows plan -f json copy in.parquet out.parquet");
    puts("\nBehind the verb come its own words and options; -f before the verb is the\n"
         "format of the plan, behind it that of the verb.");
}

bool cli_help(const char *topic)
{
    const nrw_verb *v = topic ? cli_verb(topic) : NULL;

    if (!topic || strcmp(topic, "help") == 0)
        overview();
    else if (strcmp(topic, "plan") == 0)
        plan_page();
    else if (v)
        verb_page(v);
    else
        return false;
    return true;
}
