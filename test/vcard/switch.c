/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "switch.h"
#include "vcard.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How a value is written. */
enum kind {
    CHOICE,    /* one of values */
    NUMBER,    /* 0 to limit */
    STATUS,    /* off, or SW1 SW2 in hexadecimal */
    TEXT,      /* at most limit printable characters */
    HEX,       /* at most limit bytes in hexadecimal */
    FAULT,     /* off, SW1 SW2, mute, lost, pull */
    FAULT_AT,  /* off, or N:FAULT, N from 1 to limit */
    FAULT_INS, /* off, or INS:FAULT, INS in hexadecimal */
};

struct row {
    const char *name;
    enum kind kind;
    long limit;
    const char *values;
    const char *initial;
    const char *help;
    const char *source; /* section of src/card/card.md; "-": for tests only */
};

#define ON_OFF         "on|off"
#define SELECT_ANSWERS "9000|fci|61xx"
#define FAULT_VALUES   "<SW1SW2>|mute|lost|pull|off"

static const struct row table[SWITCHES] = {
    [SWITCH_PIN_BLOCKED] = {"pin.blocked", CHOICE, 0, "6984|6983|63C0", "6984",
                            "VERIFY with data on a blocked PIN", "VERIFY"},
    [SWITCH_PIN_BLOCKED_QUERY] = {"pin.blocked_query", CHOICE, 0, "63C0|6983|6984", "63C0",
                                  "VERIFY without data on a blocked PIN", "Tries left"},
    [SWITCH_PIN_QUERY_VERIFIED] = {"pin.query_verified", CHOICE, 0, "63Cx|9000", "63Cx",
                                   "VERIFY without data after a right one", "Tries left"},
    [SWITCH_VERIFY_LENGTH] = {"verify.length", CHOICE, 0, "spends|6700", "spends",
                              "a PIN of the wrong length: costs a try, or 6700 and none", "VERIFY"},
    [SWITCH_CHANGE_CHECK] = {"change.check", CHOICE, 0, ON_OFF, "on",
                             "the new PIN's length (6700) and characters (6A80) are checked",
                             "Change PIN"},
    [SWITCH_READ_END] = {"read.end", CHOICE, 0, "short|6282|6Cxx|6700|6B00", "short",
                         "READ beyond the end: fewer bytes and 9000, the same and 6282, an error",
                         "READ BINARY"},
    [SWITCH_READ_EMPTY] = {"read.empty", CHOICE, 0, "6B00|9000|6282", "6B00",
                           "READ BINARY at the start of an empty file", "Certificate files"},
    [SWITCH_FILLER] = {"file.filler", NUMBER, 4096, "<0-4096>", "0",
                       "bytes after the DER in certificate files", "Certificate files"},
    [SWITCH_FILLER_BYTE] = {"file.filler_byte", CHOICE, 0, "00|FF", "00", "their value",
                            "Certificate files"},
    [SWITCH_T0] = {"t0", CHOICE, 0, ON_OFF, "off",
                   "as over T=0: 61xx to a case 4 command, 6Cxx to a wrong Le", "All commands"},
    [SWITCH_61XX] = {"61xx", CHOICE, 0, ON_OFF, "off",
                     "every answer's data is fetched with GET RESPONSE", "All commands"},
    [SWITCH_6CXX] = {"6cxx", CHOICE, 0, ON_OFF, "off", "6Cxx to a wrong Le", "All commands"},
    [SWITCH_SFI] = {"sfi", CHOICE, 0, ON_OFF, "on", "short EF identifiers work",
                    "Short EF identifiers"},
    [SWITCH_SFI_READ] = {"sfi.read", CHOICE, 0, ON_OFF, "on", "... in READ BINARY and READ RECORD",
                         "Short EF identifiers"},
    [SWITCH_SFI_VERIFY] = {"sfi.verify", CHOICE, 0, ON_OFF, "on",
                           "... in VERIFY and CHANGE REFERENCE DATA", "Short EF identifiers"},
    [SWITCH_SFI_SIGN] = {"sfi.sign", CHOICE, 0, ON_OFF, "on", "... in signing",
                         "Short EF identifiers"},
    [SWITCH_SFI_REFUSAL] = {"sfi.refusal", STATUS, 0, "<SW1SW2>", "6A86",
                            "answer where they do not work: 6A86, 6A82, 6985, ...",
                            "Short EF identifiers"},
    [SWITCH_PSS] = {"pss", CHOICE, 0, ON_OFF, "on", "signing with P1 04 and 05; off: 6A86", "Sign"},
    [SWITCH_SIGN_PIN_FIRST] = {"sign.pin_first", CHOICE, 0, ON_OFF, "off",
                               "6982 before P1 and length are checked", "Sign"},
    [SWITCH_SIGN_PIN_EACH] = {"sign.pin_each", CHOICE, 0, ON_OFF, "off",
                              "a signature makes the card forget the PIN", "Security status"},
    [SWITCH_SIGN_CORRUPT] = {"sign.corrupt", CHOICE, 0, "off|next|on", "off",
                             "a bit of the signature is flipped", "-"},
    [SWITCH_SELECT_LE] = {"select.le", CHOICE, 0, "6700|accept", "6700", "SELECT with Le", "-"},
    [SWITCH_SELECT_FCI] = {"select.fci", CHOICE, 0, "6A86|accept", "6A86",
                           "SELECT with P2=00; accept: an FCI template, where Le asks for one",
                           "-"},
    [SWITCH_EF0006] = {"ef0006", CHOICE, 0, ON_OFF, "on", "EF 0006 exists", "EF 0006"},
    [SWITCH_EF0006_SIZE] = {"ef0006.size", CHOICE, 0, "160|32", "160", "its size in bytes",
                            "EF 0006"},
    [SWITCH_EF0008] = {"ef0008", CHOICE, 0, ON_OFF, "on", "EF 0008 exists", "EF 0008"},
    [SWITCH_AUTH] = {"auth", CHOICE, 0, "on|off|empty", "on",
                     "authentication: off, PIN, key and certificate 6A82; empty certificate file",
                     "Certificate files"},
    [SWITCH_SIGN] = {"sign", CHOICE, 0, "on|off|empty", "on", "the same for the signature",
                     "Certificate files"},
    [SWITCH_PHONE] = {"phone", CHOICE, 0, ON_OFF, "off",
                      "a phone: 000A wants the PIN, label JPKIAPGPSETOKEN", "Kinds of card"},
    [SWITCH_LABEL] = {"label", TEXT, 32, "<text>", "",
                      "label in EF 0006; empty: JPKIAPICCTOKEN2, or the phone's", "EF 0006"},
    [SWITCH_FORGET_SELECT_SAME] = {"forget.select_same", CHOICE, 0, ON_OFF, "on",
                                   "SELECT of the same application forgets its PINs",
                                   "Security status"},
    [SWITCH_FORGET_SELECT_OTHER] = {"forget.select_other", CHOICE, 0, ON_OFF, "on",
                                    "SELECT of another application forgets all PINs",
                                    "Security status"},
    [SWITCH_FORGET_WARM_RESET] = {"forget.warm_reset", CHOICE, 0, ON_OFF, "off",
                                  "a warm reset forgets all PINs", "Security status"},
    [SWITCH_WARM_RESET_SELECTION] = {"warm_reset.selection", CHOICE, 0, "lost|kept", "lost",
                                     "the selected application, after a warm reset", "-"},
    [SWITCH_FIRST] = {"first", STATUS, 0, "<SW1SW2>|off", "off",
                      "answer of the first command after power-up", "All commands"},
    [SWITCH_JPKI] = {"jpki", CHOICE, 0, ON_OFF, "on",
                     "off: a foreign card, SELECT of any application 6A82", "-"},
    [SWITCH_MUTE] = {"mute", CHOICE, 0, ON_OFF, "off", "no answer to any command", "-"},
    [SWITCH_FAIL_NEXT] = {"fail.next", FAULT, 0, FAULT_VALUES, "off",
                          "next command: an answer (not carried out); mute: the transport fails; "
                          "lost: carried out, then it fails; pull: the card is removed",
                          "-"},
    [SWITCH_FAIL_AT] = {"fail.at", FAULT_AT, 1000000, "<N>:" FAULT_VALUES, "off",
                        "the same at the N-th command from now", "-"},
    [SWITCH_FAIL_INS] = {"fail.ins", FAULT_INS, 0, "<INS>:" FAULT_VALUES, "off",
                         "the same at every command with this INS", "-"},
    [SWITCH_LATENCY_COMMAND] = {"latency.command_us", NUMBER, 60000000, "<microseconds>", "0",
                                "time of each command", "-"},
    [SWITCH_LATENCY_BYTE] = {"latency.byte_us", NUMBER, 1000000, "<microseconds>", "0",
                             "and of each byte of command and answer", "-"},
    [SWITCH_LATENCY_SIGN] = {"latency.sign_us", NUMBER, 60000000, "<microseconds>", "0",
                             "and of a signature", "-"},
    [SWITCH_ATR] = {"atr", HEX, VCARD_ATR_MAX, "<hex>", "",
                    "answer to reset; empty: 3BE000FF8131FE4514, with t0 an invented one", "-"},
    [SWITCH_PERSIST] = {"persist", CHOICE, 0, ON_OFF, "on",
                        "PINs and counters are written back to the state directory", "-"},
    [SWITCH_EF0008_BYTES] = {"ef0008.bytes", HEX, 3, "<hex>", "",
                             "content of EF 0008; empty: 8F or 00, by the switches auth and sign",
                             "EF 0008"},
    [SWITCH_PIN_AUTH] = {"pin.auth", CHOICE, 0, ON_OFF, "on",
                         "off: the authentication PIN's file answers 6A82, whatever else is there",
                         "Certificate files"},
    [SWITCH_PIN_SIGN] = {"pin.sign", CHOICE, 0, ON_OFF, "on", "the same for the signature PIN",
                         "Certificate files"},
    [SWITCH_PIN_QUERY] = {"pin.query", STATUS, 0, "<SW1SW2>|off", "off",
                          "VERIFY without data, whatever the tries left: 6300, 6700, 6982, ...",
                          "Tries left"},
    [SWITCH_PIN_QUERY_FORM] = {"pin.query_form", CHOICE, 0, "4|5|both", "4",
                               "bytes of a VERIFY without data; 5: with Le; the other form: 6700",
                               "Tries left"},
    [SWITCH_SELECT_NAME] = {"select.name", CHOICE, 0, SELECT_ANSWERS, "9000",
                            "SELECT by name with P2=0C; fci: with an FCI template all the same; "
                            "61xx: to be fetched with GET RESPONSE",
                            "Application"},
    [SWITCH_SELECT_FILE] = {"select.file", CHOICE, 0, SELECT_ANSWERS, "9000",
                            "the same for SELECT of a file", "Application"},
    [SWITCH_SELECT_UNFETCHED] = {"select.unfetched", STATUS, 0, "<SW1SW2>|off", "off",
                                 "answer to all but GET RESPONSE and SELECT by name while an FCI "
                                 "template waits to be fetched; off: carried out",
                                 "Application"},
    [SWITCH_OTHERS] = {"others", CHOICE, 0, ON_OFF, "on",
                       "off: SELECT of any application but JPKI 6A82", "Other applications"},
    [SWITCH_PIN_RESIDENT] = {"pin.resident", CHOICE, 0, "own|common", "own",
                             "001C of the resident register: a PIN of its own, or the same one as "
                             "001C of the common application",
                             "Other applications"},
};

/* Position of a text among "a|b|c", or -1. */
static long choice_index(const char *values, const char *text)
{
    size_t len = strlen(text);
    for (long i = 0;; i++) {
        size_t width = strcspn(values, "|");
        if (width == len && strncmp(values, text, len) == 0)
            return i;
        if (values[width] == '\0')
            return -1;
        values += width + 1;
    }
}

static bool parse_hex(const char *text, size_t digits, uint32_t *number)
{
    if (strlen(text) != digits || strspn(text, "0123456789abcdefABCDEF") != digits)
        return false;
    *number = (uint32_t)strtoul(text, NULL, 16);
    return true;
}

static bool parse_number(const char *text, long limit, long *number)
{
    size_t digits = strlen(text);
    if (digits == 0 || digits > 9 || strspn(text, "0123456789") != digits)
        return false;
    *number = strtol(text, NULL, 10);
    return *number <= limit;
}

static bool parse_fault(const char *text, uint32_t *word)
{
    static const struct {
        const char *text;
        enum fault fault;
    } faults[] = {{"mute", FAULT_MUTE}, {"lost", FAULT_LOST}, {"pull", FAULT_PULL}};

    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        if (strcmp(text, faults[i].text) == 0) {
            *word = faults[i].fault;
            return true;
        }
    }
    return parse_hex(text, 4, word);
}

/* N:FAULT or INS:FAULT */
static bool parse_fault_where(const struct row *row, const char *text, struct switch_value *value)
{
    char where[16];
    const char *colon = strchr(text, ':');
    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof(where))
        return false;
    memcpy(where, text, (size_t)(colon - text));
    where[colon - text] = '\0';
    if (!parse_fault(colon + 1, &value->word))
        return false;
    if (row->kind == FAULT_AT)
        return parse_number(where, row->limit, &value->number) && value->number > 0;
    uint32_t ins = 0;
    bool right = parse_hex(where, 2, &ins);
    value->number = (long)ins;
    return right;
}

static bool printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (!isprint((unsigned char)*text))
            return false;
    }
    return true;
}

static bool is_hex_string(const char *text, size_t bytes)
{
    size_t digits = strlen(text);
    return digits % 2 == 0 && digits <= 2 * bytes &&
           strspn(text, "0123456789abcdefABCDEF") == digits;
}

static bool parse_value(const struct row *row, const char *text, struct switch_value *value)
{
    /* A value that names a status word is that status word, too. */
    if (!parse_hex(text, 4, &value->word))
        value->word = FAULT_NONE;
    bool off = strcmp(text, "off") == 0 && strcmp(row->values, "<SW1SW2>") != 0;

    switch (row->kind) {
    case CHOICE:
        value->number = choice_index(row->values, text);
        return value->number >= 0;
    case NUMBER:
        return parse_number(text, row->limit, &value->number);
    case STATUS:
        return off || value->word != FAULT_NONE;
    case TEXT:
        return strlen(text) <= (size_t)row->limit && printable(text);
    case HEX:
        return is_hex_string(text, (size_t)row->limit);
    case FAULT:
        return off || parse_fault(text, &value->word);
    case FAULT_AT:
    case FAULT_INS:
        return off || parse_fault_where(row, text, value);
    }
    return false;
}

static const struct row *find(const char *name, size_t len)
{
    for (size_t i = 0; i < SWITCHES; i++) {
        if (strlen(table[i].name) == len && strncmp(table[i].name, name, len) == 0)
            return &table[i];
    }
    return NULL;
}

static int assign(struct switches *switches, const struct row *row, const char *text)
{
    struct switch_value value = {.number = 0};
    if (strlen(text) > SWITCH_TEXT_MAX || !parse_value(row, text, &value)) {
        errno = EINVAL;
        return -1;
    }
    strcpy(value.text, text);
    switches->value[row - table] = value;
    return 0;
}

int switches_set(struct switches *switches, const char *assignment)
{
    size_t len = strcspn(assignment, "=");
    const struct row *row = find(assignment, len);
    if (row == NULL || assignment[len] != '=') {
        errno = EINVAL;
        return -1;
    }
    return assign(switches, row, assignment + len + 1);
}

void switches_put(struct switches *switches, enum switch_id id, const char *value)
{
    (void)assign(switches, &table[id], value);
}

const char *switches_get(const struct switches *switches, const char *name)
{
    const struct row *row = find(name, strlen(name));
    return row == NULL ? NULL : switches->value[row - table].text;
}

size_t bytes_of_hex(const char *hex, uint8_t *bytes)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return len;
}

void switches_init(struct switches *switches)
{
    for (size_t i = 0; i < SWITCHES; i++)
        switches_put(switches, (enum switch_id)i, table[i].initial);
}

bool switch_on(const struct switches *switches, enum switch_id id)
{
    return switch_is(switches, id, "on");
}

bool switch_is(const struct switches *switches, enum switch_id id, const char *value)
{
    return strcmp(switches->value[id].text, value) == 0;
}

void vcard_print_switches(FILE *out)
{
    for (size_t i = 0; i < SWITCHES; i++) {
        const struct row *row = &table[i];
        fprintf(out, "  %s=%s  [%s]\n      %s", row->name, row->values, row->initial, row->help);
        if (strcmp(row->source, "-") != 0)
            fprintf(out, " (src/card/card.md: %s)", row->source);
        fputc('\n', out);
    }
}

void vcard_each_switch(void (*fn)(void *context, const char *name, const char *values,
                                  const char *initial),
                       void *context)
{
    for (size_t i = 0; i < SWITCHES; i++)
        fn(context, table[i].name, table[i].values, table[i].initial);
}
