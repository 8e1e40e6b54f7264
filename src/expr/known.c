/* Which parts of a condition can be answered from some of its columns. */
#include "expr/own.h"

static bool names(const schema *s, span name)
{
    for (uint32_t i = 0; i < s->n_fields; i++)
        if (span_is_word(name, s->fields[i].name))
            return true;
    return false;
}

static bool is_known(const node *n, const schema *s)
{
    if (!n)
        return true;
    if (n->kind == NODE_COLUMN)
        return !n->path && names(s, n->text);
    for (const node *item = n->items; item; item = item->next)
        if (!is_known(item, s))
            return false;
    return is_known(n->a, s) && is_known(n->b, s) && is_known(n->c, s);
}

node *node_known(node *n, const schema *s)
{
    node **link;

    if (n->kind != NODE_AND)
        return is_known(n, s) ? n : NULL;
    link = &n->items;
    while (*link) {
        node *next = (*link)->next, *kept = node_known(*link, s);
        *link = kept ? kept : next;
        if (kept) {
            kept->next = next;
            link = &kept->next;
        }
    }
    return n->items ? n : NULL;
}
