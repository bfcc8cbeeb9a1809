/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of jpki-tool share. The tool is a program on src/reader and below; no PKCS#11.
 * Each sub-command is a function in a file or folder of its own, and a row in commands.c: help,
 * completions and the parsing of its options come from that row. To add one: the file (meson.build
 * lists it), the row, new options in options.c, messages in messages.inc, and a part of the manual
 * pages.
 */
#pragma once

#include "jpki/reader.h"
#include "message.h"
#include "output.h"

/* ---- Exit statuses -------------------------------------------------------------------- */

/* The same for all sub-commands. The table in exit.c says what they mean, for help and the manual
 * pages. A signal ends the tool by that signal (128 + its number in a shell). */
enum exit_code {
    EXIT_OK,
    EXIT_FAILED,      /* anything that is none of the others */
    EXIT_USAGE,       /* the command line */
    EXIT_NO_CARD,     /* no pcscd, no reader, no card, or another kind of card */
    EXIT_REFUSED,     /* a PIN that is wrong, breaks the rules, or was held back to spare a try */
    EXIT_LOCKED,      /* a PIN without tries left */
    EXIT_MISSING,     /* not on this card: a PIN, key or certificate */
    EXIT_WHICH,       /* several cards, and none was named with --reader */
    EXIT_BUSY,        /* another program holds the card */
    EXIT_UNKNOWN,     /* the card's answer was lost: it may or may not have done it */
    EXIT_CANCELLED,   /* the user did not go on */
    EXIT_INVALID,     /* a signature that does not hold */
    EXIT_UNCONFIRMED, /* one that holds, but by a certificate that could not be confirmed */
    EXIT_CODES
};

/* What a status means, in the user's language. */
const char *exit_text(enum exit_code code);

/* The status for an error, without and with a message on standard error. `reader` may be NULL. */
enum exit_code exit_for(enum jpki_error error);
const char *error_text(enum jpki_error error);
enum exit_code fail_with(enum jpki_error error, const char *reader);

/* EXIT_USAGE after this message. */
enum exit_code fail_usage(const char *message);

/* ---- The command line ----------------------------------------------------------------- */

/* All options; the table is in options.c. */
enum option_id {
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_READER,
    OPTION_JSON,
    OPTION_SIGN_PIN,
    OPTION_PIN_STDIN,
    OPTION_PIN_ENV,
    OPTION_NEW_PIN_ENV,
    OPTION_LAST_TRY,
    OPTION_ALL_FOUR_DIGIT,
    OPTION_PEM,
    OPTION_DER,
    OPTION_TEXT,
    /* signatures */
    OPTION_KEY,
    OPTION_OUTPUT,
    OPTION_FORCE,
    OPTION_RAW,
    OPTION_CMS,
    OPTION_DIGEST,
    OPTION_PSS,
    OPTION_EMBED,
    OPTION_CA,
    OPTION_CERT,
    OPTION_APPLY,
    OPTION_REMOVE,
    OPTION_SYSTEM,
    OPTION_PROFILE, /* of PDF and XML */
    /* signatures in PDFs: from the first to the last of them */
    OPTION_PDF,
    OPTION_VISIBLE,
    OPTION_NAME,
    OPTION_REASON,
    OPTION_LOCATION,
    OPTION_FIELD,
    /* signatures in XML: the same */
    OPTION_XML,
    OPTION_ID,
    OPTION_ATTACH,
    OPTION_REFERENCE,
    OPTION_C14N,
    OPTION_FORM,
    OPTION_PLACE,
    OPTION_PREFIX,
    OPTION_SIGNATURE_ID,
    OPTION_KEY_INFO,
    OPTION_YES,
    OPTIONS
};

struct option_row {
    const char *name;     /* without the dashes */
    char letter;          /* its short form; 0: none */
    const char *argument; /* what stands for it in help; NULL: none */
    struct text help;
};
extern const struct option_row option_rows[OPTIONS];

/* For command rows. */
#define ACCEPTS(option) (UINT64_C(1) << (option))

enum { OPERANDS_MAX = 2, WORDS_MAX = 8 };

struct tool;
struct command {
    const char *name;
    struct text summary;
    uint64_t options; /* ACCEPTS(...); all accept --help */
    /* Operands that must be one of these words, each in turn; NULL ends both. */
    const char *operands[OPERANDS_MAX][WORDS_MAX];
    struct text files; /* operands that are anything, as help shows them; NULL: none */
    enum exit_code (*run)(struct tool *tool);
    bool operands_optional;
    bool hidden; /* from help and completions */
};

/* All of them (commands.c). */
struct command_table {
    const struct command *rows;
    size_t count;
};
extern const struct command_table command_table;
const struct command *find_command(const struct command_table *table, const char *name);

enum { GIVEN_MAX = 200 };

/* What was given. Belongs to main.c. */
struct tool {
    const struct command_table *table;
    const struct command *command;
    const char *options[OPTIONS]; /* arguments; "" for an option without; NULL: not given */
    struct given {
        enum option_id id;
        const char *argument;
    } given[GIVEN_MAX]; /* options that can be given more than once */
    int given_count;
    char **operands;
    int operand_count;
    bool last_try_allowed[JPKI_PINS]; /* the user has said that it may be spent */
    bool keeps_last_try;              /* option keep-last-try was given: not even then */
    struct jpki_reader_shared shared; /* see open_readers() */
};

/* Reads the options of `command`, or with NULL those before it. Operands follow at optind.
 * EXIT_USAGE after a message. */
enum exit_code parse_options(struct tool *tool, const struct command *command, int argc,
                             char **argv);

/* The operands of the command that was given are as its row says; else complains. */
enum exit_code check_operands(const struct tool *tool);

bool has_option(const struct tool *tool, enum option_id id);

/* The next argument of an option that can be given more than once; `at` is 0 at first. NULL: no
 * more. */
const char *next_argument(const struct tool *tool, enum option_id id, int *at);

/* ---- Readers -------------------------------------------------------------------------- */

/* Opens the way to the readers, with the options of JPKI_PKCS11_OPTIONS, unless that was done;
 * main.c closes it. */
enum exit_code open_readers(struct tool *tool);
void close_readers(struct tool *tool);

/* After open_readers(): the readers that --reader lets through, of `all` that there are, without a
 * message. The caller frees them, also where `count` is 0. After an error there are none. */
enum jpki_error list_meant_readers(struct tool *tool, struct jpki_reader_status **list,
                                   size_t *count, size_t *all);

/* The reader of this name, locked and looked at; NULL without memory. Give it to close_reader(). */
struct jpki_reader *open_reader_named(struct tool *tool, const char *name);

/* Calls `visit` with each reader that --reader lets through, locked and looked at; the first status
 * that is not EXIT_OK is returned, after all of them. EXIT_NO_CARD after a message when there is
 * none. */
enum exit_code each_reader(struct tool *tool,
                           enum exit_code (*visit)(struct tool *tool, struct jpki_reader *reader,
                                                   void *context),
                           void *context);

/* The one reader with a card, or the one named by --reader; locked. NULL after a message. Give it
 * to close_reader(). */
struct jpki_reader *open_one_reader(struct tool *tool, enum exit_code *code);
void close_reader(struct jpki_reader *reader);

/* Calls `visit` with each reader that has a card and that --reader lets through, as above: for what
 * a card may help with. Where there is none, or one cannot be used, it says nothing, and the first
 * error is in `*error`. Fails, after a message, where open_readers() does, and where --reader lets
 * none through. */
enum exit_code each_card(struct tool *tool,
                         enum jpki_error (*visit)(struct tool *tool, struct jpki_reader *reader,
                                                  void *context),
                         void *context, enum jpki_error *error);

/* Reads one of a credential's certificates as far as `state`; see jpki_credential_read(). */
enum jpki_error read_certificate_until(struct jpki_credential *credential,
                                       enum jpki_certificate_use use,
                                       enum jpki_certificate_state state);

/* ---- Sub-commands --------------------------------------------------------------------- */

enum exit_code run_status(struct tool *tool);
enum exit_code run_pin(struct tool *tool);
enum exit_code run_cert(struct tool *tool);
enum exit_code run_sign(struct tool *tool);
enum exit_code run_verify(struct tool *tool);
enum exit_code run_setup(struct tool *tool);
enum exit_code run_doctor(struct tool *tool);
enum exit_code run_trace(struct tool *tool);
enum exit_code run_help(struct tool *tool);
enum exit_code run_completion(struct tool *tool);

/* Help on the tool as a whole, or on a command. */
void print_help(const struct command_table *table, const struct command *command);
