<?php
/* Publishes, edits and trashes posts: a JSON list of calls on standard input, a list of ids as answer. */
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/taxonomy.php';
wp_set_current_user(1);
$ids = [];
foreach (json_decode(stream_get_contents(STDIN), true) as $call) {
    if (isset($call['trash'])) {
        wp_trash_post($call['trash']);
        continue;
    }
    foreach ($call['terms'] ?? [] as $name) {
        $call['post_category'][] = wp_create_category($name);
    }
    $id = isset($call['ID']) ? wp_update_post(wp_slash($call), true) : wp_insert_post(wp_slash($call), true);
    if (is_wp_error($id)) {
        fwrite(STDERR, $id->get_error_message());
        exit(1);
    }
    $ids[] = $id;
}
echo json_encode($ids);
