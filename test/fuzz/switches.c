/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "switches.h"

#include <stdio.h>
#include <string.h>

/* Values for switches that have no list of values. */
static const struct {
    const char *name, *values;
} forms[] = {
    {"file.filler", "0|1|255|256|1000"},
    {"sfi.refusal", "6A86|6A82|6985|6700|6981"},
    {"label", "JPKIAPICCTOKEN|JPKIAPIOSTOKEN|some other card altogether"},
    {"first", "off|6F00|6985"},
    {"fail.next", "off|mute|lost|pull|6F00|6A82|63C0|6983|9000"},
    {"fail.at", "3:mute|5:lost|7:pull|2:6F00|10:lost|4:6982|20:mute|9:6300|4:lost|4:mute"},
    {"fail.ins", "off|20:lost|20:mute|24:lost|2A:6F00|B0:6982|A4:6A82|24:6A80|20:6581"},
    {"atr", "3BDA13FF8131FB468012392F31C173C601C03B"},
    {"latency.command_us", "0"},
    {"latency.byte_us", "0"},
    {"latency.sign_us", "0"},
    {"persist", "off"},
    {"ef0008.bytes", "|0F8F00|8E8F00|000000|8F"},
    {"pin.query", "off|6300|6700|6982|6985|6A88|6A86|9000"},
    {"select.unfetched", "off|6985|6F00"},
};

struct search {
    struct vcard *card;
    const char *wanted; /* a name, or NULL for a number */
    unsigned which, at;
    char name[32], values[128];
};

static const char *values_of(const char *name, const char *values)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(forms[i].name, name) == 0)
            return forms[i].values;
    return values;
}

static void look(void *context, const char *name, const char *values, const char *initial)
{
    struct search *search = context;
    (void)initial;
    bool found =
        search->wanted != NULL ? strcmp(name, search->wanted) == 0 : search->at == search->which;
    if (found) {
        search->which = search->at;
        (void)snprintf(search->name, sizeof search->name, "%s", name);
        (void)snprintf(search->values, sizeof search->values, "%s", values_of(name, values));
    }
    search->at++;
}

unsigned switches_number(struct vcard *card, const char *name)
{
    struct search search = {.card = card, .wanted = name};
    vcard_each_switch(look, &search);
    return search.which;
}

bool switches_choose(struct vcard *card, unsigned which, unsigned value)
{
    struct search count = {.which = ~0U}, search = {0};
    vcard_each_switch(look, &count);
    search.which = which % count.at;
    vcard_each_switch(look, &search);

    unsigned values = 1;
    for (const char *at = search.values; (at = strchr(at, '|')) != NULL; at++)
        values++;
    char *rest = search.values, *chosen = NULL;
    for (unsigned i = 0; i <= value % values; i++)
        chosen = strsep(&rest, "|");
    char assignment[192];
    (void)snprintf(assignment, sizeof assignment, "%s=%s", search.name, chosen);
    (void)vcard_set(card, assignment);
    /* A command that is not carried out but answered. */
    const char *word = strrchr(chosen, ':') != NULL ? strrchr(chosen, ':') + 1 : chosen;
    return strncmp(search.name, "fail.", 5) == 0 && strcmp(word, "off") != 0 &&
           strcmp(word, "mute") != 0 && strcmp(word, "lost") != 0 && strcmp(word, "pull") != 0;
}
