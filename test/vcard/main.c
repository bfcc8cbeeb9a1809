/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-vcard: a virtual My Number Card behind pcscd's vpcd. See usage. */
#include "server.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "jpki-vcard --make DIR [--kind KIND] [--name NAME] [--serial S] [--auth-pin P]\n"
    "           [--sign-pin P] [--profile production|plain] [--not-before T] [--not-after T]\n"
    "           [--auth-not-after T] [--sign-not-after T] [--keys CARD]\n"
    "    personalises a card into DIR; T is a date YYYY-MM-DD or an offset from now:\n"
    "    +N or -N with s, m, h, d or y (defaults: the kind's, or -1d and +1825d);\n"
    "    plain: the policies of the certificates are not critical; with the keys of the card in\n"
    "    the directory CARD, as new ones take a second or two\n"
    "jpki-vcard --state DIR [--host 127.0.0.1] [--port 35963] [--control SOCKET]\n"
    "           [--log FILE|-] [--set NAME=VALUE]... [--pid-file FILE] [--absent]\n"
    "    puts the card into vpcd's reader (absent: at the command insert), until SIGTERM\n"
    "jpki-vcard --replay FILE [...]\n"
    "    the same with a card that answers as a trace of jpki-tool trace says\n"
    "jpki-vcard --ctl SOCKET COMMAND [ARGUMENT]...\n"
    "    gives a running card a command (see help); status 0 when the answer is ok\n"
    "jpki-vcard --help\n";

enum option_value {
    OPTION_HELP = 'h',
    OPTION_MAKE = 256,
    OPTION_KIND,
    OPTION_PROFILE,
    OPTION_NAME,
    OPTION_SERIAL,
    OPTION_AUTH_PIN,
    OPTION_SIGN_PIN,
    OPTION_NOT_BEFORE,
    OPTION_NOT_AFTER,
    OPTION_AUTH_NOT_AFTER,
    OPTION_SIGN_NOT_AFTER,
    OPTION_KEYS,
    OPTION_STATE,
    OPTION_REPLAY,
    OPTION_HOST,
    OPTION_PORT,
    OPTION_CONTROL,
    OPTION_LOG,
    OPTION_SET,
    OPTION_PID_FILE,
    OPTION_ABSENT,
    OPTION_CTL,
};

static const struct option options[] = {
    {"make", required_argument, NULL, OPTION_MAKE},
    {"kind", required_argument, NULL, OPTION_KIND},
    {"profile", required_argument, NULL, OPTION_PROFILE},
    {"name", required_argument, NULL, OPTION_NAME},
    {"serial", required_argument, NULL, OPTION_SERIAL},
    {"auth-pin", required_argument, NULL, OPTION_AUTH_PIN},
    {"sign-pin", required_argument, NULL, OPTION_SIGN_PIN},
    {"not-before", required_argument, NULL, OPTION_NOT_BEFORE},
    {"not-after", required_argument, NULL, OPTION_NOT_AFTER},
    {"auth-not-after", required_argument, NULL, OPTION_AUTH_NOT_AFTER},
    {"sign-not-after", required_argument, NULL, OPTION_SIGN_NOT_AFTER},
    {"keys", required_argument, NULL, OPTION_KEYS},
    {"state", required_argument, NULL, OPTION_STATE},
    {"replay", required_argument, NULL, OPTION_REPLAY},
    {"host", required_argument, NULL, OPTION_HOST},
    {"port", required_argument, NULL, OPTION_PORT},
    {"control", required_argument, NULL, OPTION_CONTROL},
    {"log", required_argument, NULL, OPTION_LOG},
    {"set", required_argument, NULL, OPTION_SET},
    {"pid-file", required_argument, NULL, OPTION_PID_FILE},
    {"absent", no_argument, NULL, OPTION_ABSENT},
    {"ctl", required_argument, NULL, OPTION_CTL},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

struct arguments {
    const char *make;
    const char *ctl;
    struct vcard_holder holder;
    struct server_options server;
};

static int64_t unit_seconds(const char *unit)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"y", 365 * 86400}};
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strcmp(unit, units[i].name) == 0)
            return units[i].seconds;
    }
    return 0;
}

/* Seconds from now. */
static bool parse_time(const char *text, int64_t *seconds)
{
    struct tm date = {.tm_sec = 0};
    char *rest = NULL;
    if (*text == '+' || *text == '-') {
        int64_t count = strtoll(text, &rest, 10);
        *seconds = count * unit_seconds(rest);
        return rest != text && unit_seconds(rest) != 0;
    }
    rest = strptime(text, "%Y-%m-%d", &date);
    if (rest == NULL || *rest != '\0')
        return false;
    *seconds = (int64_t)(timegm(&date) - time(NULL));
    return true;
}

static bool take_time(int option, const char *text, struct vcard_holder *holder)
{
    static const struct vcard_validity usual = {-86400, 5 * 365 * (int64_t)86400};
    int64_t seconds = 0;
    if (!parse_time(text, &seconds))
        return false;
    if (holder->auth.not_after == 0)
        holder->auth = holder->sign = usual;
    if (option == OPTION_NOT_BEFORE)
        holder->auth.not_before = holder->sign.not_before = seconds;
    if (option == OPTION_NOT_AFTER || option == OPTION_AUTH_NOT_AFTER)
        holder->auth.not_after = seconds;
    if (option == OPTION_NOT_AFTER || option == OPTION_SIGN_NOT_AFTER)
        holder->sign.not_after = seconds;
    return true;
}

static bool take_profile(const char *text, struct vcard_holder *holder)
{
    holder->plain = strcmp(text, "plain") == 0;
    return holder->plain || strcmp(text, "production") == 0;
}

static bool take_setting(struct server_options *server, const char *setting)
{
    if (server->setting_count == SETTINGS_MAX)
        return false;
    server->settings[server->setting_count++] = setting;
    return true;
}

static bool take(struct arguments *arguments, int option, const char *text)
{
    const struct {
        int option;
        const char **place;
    } texts[] = {
        {OPTION_MAKE, &arguments->make},
        {OPTION_CTL, &arguments->ctl},
        {OPTION_KIND, &arguments->holder.kind},
        {OPTION_NAME, &arguments->holder.name},
        {OPTION_SERIAL, &arguments->holder.serial},
        {OPTION_AUTH_PIN, &arguments->holder.auth_pin},
        {OPTION_SIGN_PIN, &arguments->holder.sign_pin},
        {OPTION_KEYS, &arguments->holder.keys},
        {OPTION_STATE, &arguments->server.state},
        {OPTION_REPLAY, &arguments->server.state},
        {OPTION_HOST, &arguments->server.host},
        {OPTION_PORT, &arguments->server.port},
        {OPTION_CONTROL, &arguments->server.control},
        {OPTION_LOG, &arguments->server.log},
        {OPTION_PID_FILE, &arguments->server.pid_file},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (texts[i].option == option) {
            *texts[i].place = text;
            return true;
        }
    }
    if (option == OPTION_ABSENT)
        arguments->server.absent = true;
    if (option == OPTION_PROFILE)
        return take_profile(text, &arguments->holder);
    if (option == OPTION_SET)
        return take_setting(&arguments->server, text);
    if (option >= OPTION_NOT_BEFORE && option <= OPTION_SIGN_NOT_AFTER)
        return take_time(option, text, &arguments->holder);
    return option == OPTION_ABSENT;
}

static int help(void)
{
    fputs(usage, stdout);
    puts("\nkinds of card:");
    vcard_print_kinds(stdout);
    puts("\nswitches, as NAME=VALUES [default]:");
    vcard_print_switches(stdout);
    return EXIT_SUCCESS;
}

static int run(const struct arguments *arguments, char *const rest[], int count)
{
    if (arguments->ctl != NULL && count > 0)
        return control_call(arguments->ctl, rest, count);
    if (arguments->make != NULL && count == 0)
        return vcard_make(arguments->make, &arguments->holder) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (arguments->server.state != NULL && count == 0)
        return server_run(&arguments->server);
    fputs(usage, stderr);
    return EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
    struct arguments arguments = {
        .server = {.host = "127.0.0.1", .port = "35963"},
    };
    int option;
    while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
        if (option == OPTION_HELP)
            return help();
        if (!take(&arguments, option, optarg)) {
            fprintf(stderr, "jpki-vcard: bad option or value%s%s\n", optarg == NULL ? "" : ": ",
                    optarg == NULL ? "" : optarg);
            return EXIT_FAILURE;
        }
    }
    return run(&arguments, argv + optind, argc - optind);
}
