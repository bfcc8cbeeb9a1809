/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kinds of card (src/card/card.md, Kinds of card). */
#include "kind.h"

#include <string.h>

#define DAY  86400
#define YEAR (365 * DAY)

#define FIVE_YEARS                                                                                 \
    {                                                                                              \
        -DAY, 5 * (int64_t)YEAR                                                                    \
    }
#define UNTIL_2018                                                                                 \
    {                                                                                              \
        -13 * (int64_t)YEAR, -8 * (int64_t)YEAR                                                    \
    } /* that long before today */
#define LAST_YEAR                                                                                  \
    {                                                                                              \
        -6 * (int64_t)YEAR, -YEAR                                                                  \
    }
#define END_OF_STAY                                                                                \
    {                                                                                              \
        -DAY, 100 * DAY                                                                            \
    }

static const struct kind kinds[] = {
    {.name = "card", .help = "both certificates", .validity = FIVE_YEARS},
    {.name = "child",
     .help = "of a child under 15: no signature certificate",
     .validity = FIVE_YEARS,
     .settings = {"sign=off"}},
    {.name = "face",
     .help = "face-authentication card: the authentication certificate only, its PIN blocked",
     .validity = FIVE_YEARS,
     .settings = {"sign=off"},
     .blocked = true},
    {.name = "phone-android",
     .help = "phone: 000A wants the PIN",
     .validity = FIVE_YEARS,
     .settings = {"phone=on", "others=off"},
     .phone = true},
    {.name = "phone-iphone",
     .help = "the same with another label",
     .validity = FIVE_YEARS,
     .settings = {"phone=on", "others=off", "label=JPKIAPIOSTOKEN"},
     .phone = true},
    {.name = "foreign-resident",
     .help = "the certificates end with the permitted stay, in 100 days",
     .holder_name = "SAMPLE ALEX",
     .validity = END_OF_STAY},
    {.name = "expired", .help = "both certificates ended a year ago", .validity = LAST_YEAR},
    {.name = "revoked-name",
     .help = "the holder's name changed: the CA's list, sign-ca.crl, revokes the signature "
             "certificate",
     .validity = FIVE_YEARS,
     .revoked = true},
    {.name = "resident-register-card",
     .help = "of before 2016: its label, and no file that we know (an assumption)",
     .validity = UNTIL_2018,
     .settings = {"label=JPKIAPICCTOKEN", "auth=off", "sign=off", "ef0008=off", "others=off"}},
    {.name = "next",
     .help =
         "announced for fiscal 2028: P-384 keys; of its commands nothing is known, and it signs "
         "nothing",
     .curve = "P-384",
     .validity = FIVE_YEARS},
};

const struct kind *kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

void vcard_print_kinds(FILE *out)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        fprintf(out, "  %s\n      %s\n", kinds[i].name, kinds[i].help);
}
