<?php
/* Installs the site, as wp-admin/install.php does. */
define('WP_INSTALLING', true);
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Example Hub', 'editor', 'editor@example.com', true, '', bin2hex(random_bytes(8)));
wp_delete_post(1, true);
