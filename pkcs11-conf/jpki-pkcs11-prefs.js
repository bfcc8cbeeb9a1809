// For Firefox and Thunderbird: quitting logs the card out. Debian: copy to /etc/firefox-esr/, /etc/thunderbird/pref/.
//
// As they come, they end without telling the module: the card stays logged in as long as another program is connected to it.
// Elsewhere (Mozilla's own packages): into defaults/pref/ of the directory where the program is installed.
// Policies cannot set this preference.
pref("toolkit.shutdown.fastShutdownStage", 0);
