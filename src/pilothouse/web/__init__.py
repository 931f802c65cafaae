"""The site shell: frame, navigation, design system, palette, error pages and the headers every answer carries."""
