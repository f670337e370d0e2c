<?php
/* Registers a brief's fields for the REST API and prints them in the feed; goes into wp-content/mu-plugins. */
const BRIEF_FIELDS = ['verification', 'importance', 'minutes', 'source', 'source_url', 'why'];

add_action('init', function () {
    foreach (BRIEF_FIELDS as $name) {
        register_post_meta('post', $name, ['show_in_rest' => true, 'single' => true, 'type' => 'string']);
    }
});
add_action('rss2_ns', function () {
    echo 'xmlns:brief="urn:newsletter:brief"';
});
add_action('rss2_item', function () {
    foreach (BRIEF_FIELDS as $name) {
        $value = get_post_meta(get_the_ID(), $name, true);
        if ($value !== '') {
            printf("<brief:%s>%s</brief:%s>\n", $name, esc_xml($value), $name);
        }
    }
});
